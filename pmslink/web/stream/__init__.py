"""Live updates: Server-Sent Events, their replay buffer, and long polls."""
