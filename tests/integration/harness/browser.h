#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/http.h"
#include "harness/process.h"
#include "harness/sound.h"

namespace offhook::harness {

/// Headless Chromium, driven by tests/browser/browser.mjs (README.md there). Its microphone is a
/// sound that repeats, names resolve nowhere, and every page may use the microphone.
class Browser {
public:
    struct Options {
        Sound says;  ///< of the microphone, again and again; empty: Chromium's beeps
        /// PEM certificates accepted from servers although no authority known to Chromium signed
        /// them.
        std::vector<std::filesystem::path> trusts;
        std::filesystem::path pages;     ///< more pages than tests/browser/pages has
        bool is_network_logged = false;  ///< `close` then tells whether something left the machine
        bool asks_to_play = false;       ///< plays no sound before a click, as browsers do
    };

    /// A page; its functions are those it put on `window`.
    class Page {
    public:
        /// Calls a function and waits for what it returns or promises.
        /// @param arguments  JSON of an array
        /// @return           the JSON object returned, an empty one for nothing
        /// @errors           throws with the page's own message, or when `limit` passed
        Json call(const std::string& function,
                  const std::string& arguments = "[]",
                  milliseconds limit = seconds(30)) const;
        /// A person clicks in it.
        void click() const;
        void close() const;

    private:
        friend class Browser;
        Page(std::string address, int number) : address_(std::move(address)), number_(number) {}
        std::string address_;
        int number_;
    };

    /// Why our own client cannot be given out as /modules/offhook-client.js; empty when it can (scripts/web).
    static std::string missing_client();
    /// Why this machine has none; empty when it has (scripts/setup, scripts/browser).
    static std::string missing();

    explicit Browser(const TempDir& folder) : Browser(folder, Options{}) {}
    /// Returns when Chromium runs. @errors throws.
    Browser(const TempDir& folder, const Options& options);
    ~Browser();
    Browser(const Browser&) = delete;
    Browser& operator=(const Browser&) = delete;

    /// How a page is opened. `Denies`: it may not use the microphone. `Plain`: from an origin that is
    /// no secure one for browsers.
    enum class Manner : std::uint8_t { Usual, Denies, Plain };
    /// Opens a page of tests/browser/pages or `Options::pages`; `file` may have a query.
    [[nodiscard]] Page open(const std::string& file, Manner manner = Manner::Usual);
    /// The origin of its pages: "http://127.0.0.1:40000".
    [[nodiscard]] std::string origin() const { return "http://" + address_; }
    /// What pages and Chromium wrote to the console so far.
    [[nodiscard]] std::string log() { return process_->output(); }
    [[nodiscard]] Process& process() { return *process_; }
    /// Ends Chromium at once, with all its processes, as a crash or a power cut does.
    void kill();
    /// Ends Chromium in good order. @return 0, or 3 when it talked to another machine
    int close() { return process_->stop(seconds(20)); }

private:
    std::string address_;
    std::unique_ptr<Process> process_;
};

/// `text` as a JSON string, quotes included.
std::string quoted(const std::string& text);

}  // namespace offhook::harness
