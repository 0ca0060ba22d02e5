"""Showing what happened in a stream: a live terminal view, a picture and a page, all from one `StreamHistory`."""
