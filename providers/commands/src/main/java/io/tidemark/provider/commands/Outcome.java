package io.tidemark.provider.commands;

/**
 * What a program that ended by itself said.
 *
 * @param exit its exit status; 128 and more for a signal
 */
public record Outcome(int exit, String stdout, String stderr) {
    private static final int EVIDENCE_CHARACTERS_MAXIMUM = 500;

    public boolean succeeded() {
        return exit == 0;
    }

    /** The exit status and the beginning of what it complained about, in one line for an error. */
    public String evidence() {
        var complaint = stderr.isBlank() ? stdout : stderr;
        var line = complaint.strip().replaceAll("\\s+", " ");
        var shown = line.length() > EVIDENCE_CHARACTERS_MAXIMUM
                ? line.substring(0, EVIDENCE_CHARACTERS_MAXIMUM) + "..."
                : line;
        return "exit status %d: %s".formatted(exit, shown);
    }
}
