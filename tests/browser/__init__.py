"""What people see, in Debian's Chromium."""
