// What of MapLibre GL JS the pages use, by its own sources: what is not named here (other controls, pop-ups) is not loaded.

export { LngLatBounds } from "./node_modules/maplibre-gl/src/geo/lng_lat_bounds.ts";
export { AttributionControl } from "./node_modules/maplibre-gl/src/ui/control/attribution_control.ts";
export { NavigationControl } from "./node_modules/maplibre-gl/src/ui/control/navigation_control.ts";
export { ScaleControl } from "./node_modules/maplibre-gl/src/ui/control/scale_control.ts";
export { Map } from "./node_modules/maplibre-gl/src/ui/map.ts";
export { Marker } from "./node_modules/maplibre-gl/src/ui/marker.ts";
