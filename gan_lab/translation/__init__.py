"""Pictures of a file, a folder or an archive, translated into a folder."""
