"""Files of containers, copied out and in."""
