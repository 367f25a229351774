"""Tests of gan_lab.data."""
