"""Data larger than a disk: shards (tar, Parquet) that are read where they lie."""
