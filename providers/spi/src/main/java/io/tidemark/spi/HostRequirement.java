package io.tidemark.spi;

/**
 * One thing that a provider needs, or makes use of, on the host it runs on.
 *
 * @param what a program, a right, a setting, a piece of storage: a few words
 * @param detail what was found; where something lacks, what to do about it
 */
public record HostRequirement(String what, State state, String detail) {

    /** What the provider can do with it, or without. */
    public enum State {
        MET,
        /** It works, but something of it is slower or missing; the detail says what. */
        LIMITED,
        /** It does not work before this is mended. */
        LACKING
    }
}
