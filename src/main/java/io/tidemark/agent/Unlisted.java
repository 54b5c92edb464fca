package io.tidemark.agent;

/**
 * A host whose part of a list is missing.
 *
 * @param agent its name at this controller
 * @param reason one phrase
 */
public record Unlisted(String agent, String reason) {}
