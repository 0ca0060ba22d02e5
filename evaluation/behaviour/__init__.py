"""What of unusual behaviour is reported, and how many reports are about nothing, against the number that was stated."""
