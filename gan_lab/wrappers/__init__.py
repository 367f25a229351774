"""What is put around a discriminator, whatever it is."""
