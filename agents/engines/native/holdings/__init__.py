"""What the kernel holds of a container, and where that is not what was recorded."""
