"""What the native engine does, by what it does it to; each class is a part of its façade."""
