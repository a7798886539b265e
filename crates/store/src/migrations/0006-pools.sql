-- How many jobs wait in each pool is asked for with every look at the figures.
CREATE INDEX jobs_pools ON jobs (pool) WHERE state IN (0, 1);
