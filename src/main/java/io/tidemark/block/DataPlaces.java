package io.tidemark.block;

/**
 * Where an image may have data: what lies between reads as zeros and need not be read, so that a sparse terabyte costs
 * as much as what is in it. Asked in ascending order.
 */
public interface DataPlaces {
    /** Nothing is known: everything may be data. */
    DataPlaces EVERYWHERE = offsetBytes -> offsetBytes;

    /** The first byte at {@code offsetBytes} or behind it that may not be zero; {@link Long#MAX_VALUE} for none. */
    long dataFrom(long offsetBytes);
}
