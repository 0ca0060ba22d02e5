"""How good the segments are: the service and its peers on every development set, one table and a picture per stream."""
