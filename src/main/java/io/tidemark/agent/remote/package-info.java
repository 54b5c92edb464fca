/**
 * Agents and their controller: what is asked, what is answered, and who may ask for what. The agent connects; the
 * controller commands; the agent's own configuration is the limit of what it does.
 */
@NullMarked
package io.tidemark.agent.remote;

import org.jspecify.annotations.NullMarked;
