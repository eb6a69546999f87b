"""The doors to the kernel and to programs; nothing else in the agent opens them."""
