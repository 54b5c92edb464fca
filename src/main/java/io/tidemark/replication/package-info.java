/** Scheduled replication: pure state machines, (state, event, now) to (state, effects). */
@NullMarked
package io.tidemark.replication;

import org.jspecify.annotations.NullMarked;
