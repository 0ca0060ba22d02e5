"""How well a model's anomaly score finds faults that were put into real takes."""
