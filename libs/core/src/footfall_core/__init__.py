"""What every Footfall service shares. Import the module you need; nothing is re-exported here."""
