package io.tidemark.agent;

/**
 * A part of what a list should have, and has not.
 *
 * @param name the agent's at this controller, or the provider's
 * @param reason one phrase
 */
public record Unlisted(Part part, String name, String reason) {
    /** What of the site is missing. */
    public enum Part {
        /** All of an agent's host. */
        AGENT,
        /** All of one provider of this host. */
        PROVIDER
    }

    public static Unlisted agent(String name, String reason) {
        return new Unlisted(Part.AGENT, name, reason);
    }

    public static Unlisted provider(String name, String reason) {
        return new Unlisted(Part.PROVIDER, name, reason);
    }
}
