package io.tidemark.block;

/** Why an index, a delta or an image was refused. Nothing was changed. */
public sealed interface BlockError {
    /** One lower-case phrase without a full stop. */
    String message();

    /** The file does not begin as one of its kind does. */
    record NotOfKind(String file, String kind) implements BlockError {
        @Override
        public String message() {
            return "%s is not a %s".formatted(file, kind);
        }
    }

    record UnknownVersion(String file, String kind, int version, int newestKnown) implements BlockError {
        @Override
        public String message() {
            return "%s is a %s of version %d; versions up to %d are known"
                    .formatted(file, kind, Integer.toUnsignedLong(version), newestKnown);
        }
    }

    /** A checksum, count or length is not what it must be. */
    record Damaged(String file, long offsetBytes, String evidence) implements BlockError {
        @Override
        public String message() {
            return "%s is damaged at byte %d: %s".formatted(file, offsetBytes, evidence);
        }
    }

    /** Digests of two things cannot be compared. */
    record NotComparable(String left, String right, String difference) implements BlockError {
        @Override
        public String message() {
            return "%s and %s cannot be compared: %s".formatted(left, right, difference);
        }
    }

    record WrongSize(String image, long actualBytes, long baseBytes, long resultBytes) implements BlockError {
        @Override
        public String message() {
            return "%s has %d bytes; the delta goes from an image of %d bytes to one of %d"
                    .formatted(image, actualBytes, baseBytes, resultBytes);
        }
    }

    /** Blocks that the delta does not write differ from its base. */
    record NotTheBase(String image, Digest expectedRoot, Digest actualRoot) implements BlockError {
        @Override
        public String message() {
            return "%s is not the delta's base: its root is %s, the base's is %s"
                    .formatted(image, actualRoot.hex(), expectedRoot.hex());
        }
    }

    /** The blocks that the delta names hold something else in the image. */
    record NotTheResult(String image, Digest expectedRoot, Digest actualRoot) implements BlockError {
        @Override
        public String message() {
            return "%s does not hold the delta's result: with its blocks the root is %s, the result's is %s"
                    .formatted(image, actualRoot.hex(), expectedRoot.hex());
        }
    }

    /** A block that the delta writes holds neither the base's bytes nor the result's. */
    record StrangeBlocks(String image, long firstOffsetBytes, long blockCount) implements BlockError {
        @Override
        public String message() {
            return "%s holds %d blocks that are neither the base's nor the result's, the first at byte %d"
                    .formatted(image, blockCount, firstOffsetBytes);
        }
    }

    /** Written, or another file has its name now. */
    record ImageChanged(String image, long offsetBytes) implements BlockError {
        @Override
        public String message() {
            return "%s was written or replaced while it was read, noticed at byte %d".formatted(image, offsetBytes);
        }
    }
}
