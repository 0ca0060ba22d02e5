"""What repeats within an action: windows of a few seconds, judged against those of the same label."""
