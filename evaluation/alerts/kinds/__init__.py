"""Every kind of fault alone in a stream of its own: what is emitted, a picture of it, and the page about all."""
