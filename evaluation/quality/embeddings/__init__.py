"""Which embedding separates actions best: candidates at equal cost, judged by the segmenter on unseen streams."""
