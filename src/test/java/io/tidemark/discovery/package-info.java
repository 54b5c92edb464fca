@NullMarked
package io.tidemark.discovery;

import org.jspecify.annotations.NullMarked;
