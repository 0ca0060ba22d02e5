"""The offline baseline: temporal segmentation and clustering as in Su & Shlizerman 2019 (arXiv 1905.12176)."""
