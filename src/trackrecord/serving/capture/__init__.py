"""What a server answered, kept off the requests' way; and what became of it, as truth arrives."""
