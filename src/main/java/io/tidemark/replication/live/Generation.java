package io.tidemark.replication.live;

/**
 * Stands for the content of a volume from one point of its history on: copies with the same one differ by no write that
 * was made without the other. Drawn at random, never zero.
 */
public record Generation(long value) {
    public Generation {
        if (value == 0) {
            throw new IllegalArgumentException("a generation is never zero");
        }
    }

    /** As DRBD prints it: 16 hexadecimal digits. */
    @Override
    public String toString() {
        return "%016X".formatted(value);
    }
}
