"""What a tool may borrow; the bundler carries the used definitions into each tool's text."""
