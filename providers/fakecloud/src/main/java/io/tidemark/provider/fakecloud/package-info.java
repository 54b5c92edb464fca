/**
 * Clouds in one process, for tests alone: state machines on a fake clock behind real HTTP, whose requests and answers
 * are checked by the clouds' published models.
 */
@NullMarked
package io.tidemark.provider.fakecloud;

import org.jspecify.annotations.NullMarked;
