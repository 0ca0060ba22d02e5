"""The thread that steps the frames of many streams together."""
