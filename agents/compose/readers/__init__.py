"""Readers: from a place in a document to a typed part of the model, one module per noun."""
