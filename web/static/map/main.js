// Starts the map.
