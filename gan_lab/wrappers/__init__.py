"""What is put around a player, whatever it is: mostly around a discriminator."""
