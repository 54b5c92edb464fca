package io.tidemark.export.protocol;

/**
 * What a client is told of an export.
 *
 * @param name with the description at most {@value #TEXT_CHARACTERS_MAXIMUM} characters, so that a list of all exports fits
 *     into one answer
 * @param description for people
 * @param shared whether a client may use it by several connections as by one
 */
public record OfferedExport(String name, String description, long sizeBytes, boolean writable, boolean shared) {
    static final int TEXT_CHARACTERS_MAXIMUM = 400;

    public OfferedExport {
        if (name.length() + description.length() > TEXT_CHARACTERS_MAXIMUM) {
            throw new IllegalArgumentException(
                    "name and description of export %s are longer than %d".formatted(name, TEXT_CHARACTERS_MAXIMUM));
        }
        if (sizeBytes < 0) {
            throw new IllegalArgumentException("sizeBytes of export %s is negative: %d".formatted(name, sizeBytes));
        }
    }

    /** One that is shared. */
    public OfferedExport(String name, String description, long sizeBytes, boolean writable) {
        this(name, description, sizeBytes, writable, true);
    }

    int transmissionFlags(boolean structured) {
        int flags = Nbd.FLAG_HAS_FLAGS
                | Nbd.FLAG_SEND_FLUSH
                | Nbd.FLAG_SEND_FUA
                | Nbd.FLAG_SEND_CACHE
                | (shared ? Nbd.FLAG_MULTI_CONN : 0)
                | (structured ? Nbd.FLAG_SEND_DF : 0);
        return writable ? flags | Nbd.FLAG_SEND_TRIM | Nbd.FLAG_SEND_WRITE_ZEROES : flags | Nbd.FLAG_READ_ONLY;
    }
}
