"""What comes in: validated, timed, filled where values are missing, and resampled to the rate of the model."""
