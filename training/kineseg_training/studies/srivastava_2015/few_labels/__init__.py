"""Whether pretraining helps to recognise actions when few windows are labelled."""
