"""What a person sees. draw() reads state and never changes it."""
