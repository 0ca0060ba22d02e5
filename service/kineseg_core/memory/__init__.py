"""The numbers of a stream in one piece of memory, so that one call of a kernel takes those of many streams."""
