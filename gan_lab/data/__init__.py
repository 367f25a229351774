"""Sources of images, the packed store and the stream of batches."""
