@NullMarked
package io.tidemark.agent.remote;

import org.jspecify.annotations.NullMarked;
