# A cache in front of the service that keeps bodies but never trusts its own memory: the service promises to be current at each
# request (max-age=0, must-revalidate), so each is asked again with the tag of the kept body, and "304" spares sending it.
vcl 4.1;

backend service {
    .host = "service";
    .port = "8000";
    .connect_timeout = 2s;
    .first_byte_timeout = 90s;
}

sub vcl_recv {
    # or requests for one address would wait for each other's question
    set req.hash_ignore_busy = true;
}

sub vcl_backend_response {
    if (beresp.status == 200 && beresp.http.ETag && beresp.http.Cache-Control == "public, max-age=0, must-revalidate") {
        set beresp.ttl = 1ms; # Varnish would forget at once what has no time at all
        set beresp.grace = 0s;
        set beresp.keep = 1h;
        return (deliver);
    }
}
