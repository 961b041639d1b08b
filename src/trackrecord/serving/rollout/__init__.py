"""Another version beside the champion: unheard, for a share of the units, or for half of them."""
