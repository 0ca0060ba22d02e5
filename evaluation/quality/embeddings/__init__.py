"""Which embedding separates actions best: candidates at equal cost, by what the segmenter makes of unseen streams."""
