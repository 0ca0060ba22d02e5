"""kineseg: the Python SDK of a streaming online segmentation service for motion."""
