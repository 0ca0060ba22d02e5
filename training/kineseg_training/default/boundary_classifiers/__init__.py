"""The segmenter's boundary classifiers: trained on motion whose boundaries are known because it was made."""
