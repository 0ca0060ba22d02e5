"""One page with everything: what the papers say, and what was found here."""
