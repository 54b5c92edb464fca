package io.tidemark.provider.conformance;

/** The calls that a decorated provider lets faults into and recordings be made of. */
public enum ProviderCall {
    VOLUMES,
    VOLUME,
    CREATE,
    REMOVE,
    FORECAST,
    PREPARE,
    CUT,
    READINESS,
    SNAPSHOTS,
    READ,
    READ_BYTES,
    CHANGED_RANGES,
    ALLOCATED_RANGES,
    NEXT_RANGE,
    CLONE,
    ROLLBACK,
    WRITE,
    WRITE_BYTES,
    WRITE_ZEROES,
    WRITER_READ_BYTES,
    FLUSH,
    HOLD,
    RELEASE,
    DELETE,
    RESUME
}
