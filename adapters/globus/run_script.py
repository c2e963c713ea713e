def streamrelay_run(
    job_script,
    relay_url="",
    channel_id="",
    relay_secret="",
    workdir="",
    output="",
    error="",
    time_limit=0,
    grace=10,
    look_every=30,
    **_of_later_versions
):
    """Runs a job script under bash, and tells how it ended. What it prints goes to the relay."""
    import os
    import signal
    import subprocess
    import threading
    import time

    over = streamrelay_over(relay_url, channel_id, relay_secret)
    if over:
        return streamrelay_answer(outcome="over", why=over)

    def open_file(path):
        return open(os.path.join(workdir or ".", os.path.expanduser(path)), "wb", 0)

    try:
        out = open_file(output) if output else open(os.devnull, "wb", 0)
        err = open_file(error) if error and error != output else out
    except OSError as problem:
        return streamrelay_answer(outcome="refused", message="The output file can't be written: %s" % problem)

    end_with_parent = None
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl

        def end_with_parent():
            prctl(1, int(signal.SIGTERM))  # PR_SET_PDEATHSIG: a worker that is killed takes its job along
    except (ImportError, OSError, AttributeError):
        pass

    env = {name: value for name, value in os.environ.items() if not name.startswith(("STREAMRELAY_", "RELAY_"))}
    # the script holds a token: by stdin it is in no argument list and in no file
    child = subprocess.Popen(
        ["bash"],
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=subprocess.PIPE,
        env=env,
        start_new_session=True,
        preexec_fn=end_with_parent,
    )

    tail = [b""]

    def read_stderr():
        for chunk in iter(lambda: os.read(child.stderr.fileno(), 8192), b""):
            tail[0] = (tail[0] + chunk)[-8192:]
            err.write(chunk)

    reader = threading.Thread(target=read_stderr, daemon=True)
    reader.start()

    def kill_session():
        # the program has a process group of its own within the session
        for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
            try:
                with open("/proc/%d/stat" % int(name)) as file:
                    if int(file.read().rpartition(")")[2].split()[3]) == child.pid:
                        os.kill(int(name), signal.SIGKILL)
            except (OSError, ValueError, IndexError):
                pass
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except OSError:
            pass

    def stop():
        """Lets the program end and the wrapper tell of it; then ends what is left."""
        try:
            os.kill(child.pid, signal.SIGTERM)
        except OSError:
            pass
        try:
            child.wait(timeout=grace + 10)
        except subprocess.TimeoutExpired:
            kill_session()
            child.wait()

    # A producer that lost its relay goes on reading; only somebody else can see that nobody waits.
    abandoned = threading.Event()
    ended = threading.Event()

    def look():
        seen = 0
        while not ended.wait(look_every):
            # twice, because a producer that has just said its last word is about to go by itself
            seen = seen + 1 if streamrelay_over(relay_url, channel_id, relay_secret) else 0
            if seen == 2:
                abandoned.set()
                return

    threading.Thread(target=look, daemon=True).start()
    began = time.monotonic()
    outcome = "exit"
    try:
        try:
            child.stdin.write(job_script.encode("utf-8"))
            child.stdin.close()
        except OSError:
            pass  # how it ended tells why it did not read on
        while child.poll() is None:
            if time_limit and time.monotonic() - began >= time_limit:
                outcome = "walltime"
                stop()
            elif abandoned.is_set():
                outcome = "abandoned"
                stop()
            else:
                try:
                    child.wait(timeout=0.2)
                except subprocess.TimeoutExpired:
                    pass
    except BaseException:
        # the worker is told to end, or the endpoint's own limit on tasks is reached
        stop()
        raise
    finally:
        ended.set()
        reader.join(1)
    code = child.returncode
    facts = {"exitCode": code} if code >= 0 else {"signal": -code}
    # what the program printed is for its stream alone, and Globus Compute none of its readers
    lines = tail[0].decode("utf-8", "replace").splitlines(True)
    words = "".join(line for line in lines if line.startswith(("streamrelay: ", "bash: ")))
    return streamrelay_answer(outcome=outcome, stderr=words, **facts)
