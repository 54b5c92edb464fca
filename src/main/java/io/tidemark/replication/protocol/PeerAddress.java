package io.tidemark.replication.protocol;

/**
 * Where a site listens: {@code host:port}, an IPv6 address in brackets.
 *
 * @param host a name or address, without brackets
 */
public record PeerAddress(String host, int port) {
    private static final int HOST_CHARACTERS_MAXIMUM = 253;
    private static final int PORT_MAXIMUM = 65_535;

    public PeerAddress {
        if (host.isEmpty() || host.length() > HOST_CHARACTERS_MAXIMUM || !host.matches("[A-Za-z0-9.:_%-]+")) {
            throw new IllegalArgumentException("host is not a name or address: " + host);
        }
        if (port < 1 || port > PORT_MAXIMUM) {
            throw new IllegalArgumentException("port is %d, 1 to %d allowed".formatted(port, PORT_MAXIMUM));
        }
    }

    /** @throws IllegalArgumentException naming what is wrong */
    public static PeerAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("address is not of the form host:port: " + text);
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.contains(":")) {
            throw new IllegalArgumentException("an IPv6 address needs brackets: " + text);
        }
        String port = text.substring(colon + 1);
        if (!port.matches("[0-9]{1,5}")) {
            throw new IllegalArgumentException("port is not a number: " + text);
        }
        return new PeerAddress(host, Integer.parseInt(port));
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
