package io.tidemark.consistency.mysql;

import java.util.Set;

/** What is held for a cut, and by which lock. */
enum Hold {
    /**
     * {@code LOCK INSTANCE FOR BACKUP}: statements that make, rename or remove files. Rows go on being written, and
     * InnoDB's log recovers them.
     */
    DDL_ALONE("BACKUP LOCK", "UNLOCK INSTANCE", "statements that make, change or drop tables, by the backup lock"),

    /** {@code FLUSH TABLES WITH READ LOCK}: every write and every commit, with all tables closed. */
    EVERY_WRITE("GLOBAL,COMMIT", "UNLOCK TABLES", "every write and commit, by the global read lock");

    /** As {@code performance_schema.metadata_locks} calls it. */
    private final String objectTypes;

    private final String release;
    private final String meaning;

    Hold(String objectTypes, String release, String meaning) {
        this.objectTypes = objectTypes;
        this.release = release;
        this.meaning = meaning;
    }

    Set<String> objectTypes() {
        return Set.of(objectTypes.split(",", -1));
    }

    /** The statement that lets go of it. */
    String release() {
        return release;
    }

    String meaning() {
        return meaning;
    }
}
