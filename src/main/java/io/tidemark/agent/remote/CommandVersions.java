package io.tidemark.agent.remote;

/**
 * Versions of the set of commands that one side knows. Each side says its own; used is the newest that both know.
 *
 * <ul>
 *   <li>1: storage, and the steps of a recovery point.
 *   <li>2: long work that is begun once, by an id; an agent of version 1 cannot be asked what became of work whose
 *       answer was lost.
 *   <li>3: rare abilities of storage ({@link AgentAbility}).
 * </ul>
 *
 * @param oldest at least 1
 * @param newest at least {@code oldest}
 */
public record CommandVersions(int oldest, int newest) {
    static final int OLDEST = 1;
    static final int NEWEST = 3;

    /** Version of {@link AgentCommand.DoOnce}. */
    static final int REMEMBERS_SINCE = 2;

    /** Version of {@link AgentCommand.OfAbility}. */
    static final int ABILITIES_SINCE = 3;

    /** What this software knows. */
    public static final CommandVersions ALL = new CommandVersions(OLDEST, NEWEST);

    public CommandVersions {
        if (oldest < 1 || newest < oldest) {
            throw new IllegalArgumentException("commands %d-%d are no versions".formatted(oldest, newest));
        }
    }

    boolean meets(CommandVersions other) {
        return oldest <= other.newest && other.oldest <= newest;
    }

    /** The one that is used with another side that {@link #meets} this one. */
    int with(CommandVersions other) {
        return Math.min(newest, other.newest);
    }

    @Override
    public String toString() {
        return "commands %d-%d".formatted(oldest, newest);
    }
}
